<#macro content>
<p class="pba-note">${msg("pbaNote")}</p>
<p class="pba-source">${msg("pbaSource")}</p>
</#macro>
